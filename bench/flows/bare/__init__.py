"""The pair of views that one writes in an afternoon, and well: pooled calls, one
insert, one update, no check beside `state`."""
