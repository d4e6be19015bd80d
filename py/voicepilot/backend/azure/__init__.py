"""Azure's realtime service: what lets us in, how a call is opened there, the ways beside the call."""
