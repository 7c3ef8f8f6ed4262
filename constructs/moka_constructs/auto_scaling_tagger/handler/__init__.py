"""What Lambda gets: one file, no package of ours."""
