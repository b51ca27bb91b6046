"""Taking items out of their shares, giving them back, and letting them go for good, so that no crash loses one."""
