"""Steps of the stage 'tracking'; one module a step."""
