"""Facts about an accident from services that the operator has configured: a geocoder and a weather service."""
