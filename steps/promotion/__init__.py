"""Steps of the stage 'promotion'; one module a step."""
