"""The test of a driver: `check_driver` in `check`, the properties in `properties`, what they share in `trial`."""
