package gauge

import (
	"os"
	"path/filepath"
	"testing"
)

// Whoever looks at the bus meanwhile sees the children under the name of the program, and not as "exe".
func TestChildrenHaveTheirName(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Skip(err)
	}
	if got, want := filepath.Base(program()), filepath.Base(self); got != want {
		t.Errorf("children are called %q and not %q", got, want)
	}
}
