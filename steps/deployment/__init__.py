"""Steps of the stage 'deployment'; one module a step."""
