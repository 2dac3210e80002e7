"""Steps of the stage 'evaluation'; one module a step."""
