"""The embedded realtime service: stands where Azure stands, over real WebRTC, without an account."""
