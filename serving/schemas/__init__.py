"""What requests and answers look like, for the OpenAPI description; requests follow from the column specification."""
