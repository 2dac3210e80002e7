"""Steps of the stage 'inference'; one module a step."""
