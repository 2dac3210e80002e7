"""Steps of the stage 'monitoring'; one module a step."""
