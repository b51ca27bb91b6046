"""What an administrator sees of the service: its log, metrics and mail. Facts are handed in; nothing is looked up."""
