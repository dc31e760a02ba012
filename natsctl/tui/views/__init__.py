"""What the screens show, worked out of snapshots: plain values, without Textual and without I/O."""
