"""Sessions with a provider in the same process: `endpoint` is the provider, `threaded` and `trio` are the sessions."""
