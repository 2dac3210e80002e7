"""Steps of the stage 'features'; one module a step."""
