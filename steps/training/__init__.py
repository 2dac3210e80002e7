"""Steps of the stage 'training'; one module a step."""
