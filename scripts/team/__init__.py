"""The servers of compose.yaml as plain processes on free ports of 127.0.0.1 (make team)."""
