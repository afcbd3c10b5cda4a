"""What makes an object valid, kind by kind, in upstream's words."""
