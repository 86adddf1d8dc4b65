"""What would have been: history judged by a draft of a written policy beside what it was judged by."""
