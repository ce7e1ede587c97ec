"""Checks and helpers for people who work on this repository. Nothing here is installed."""
