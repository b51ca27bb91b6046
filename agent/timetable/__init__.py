"""When something is to be done: times by cron expressions, and the hours in which it may be done."""
