"""Steps of the stage 'ingestion'; one module a step."""
