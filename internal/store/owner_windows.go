package store

// giveToOwnerOf has nothing to do: files take over the rights of their folder.
func giveToOwnerOf(_, _ string) error { return nil }
