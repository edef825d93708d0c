package client

import (
	"testing"

	"kbus.example/kbus/internal/wire"
)

// An error names what failed, whatever it was. Some operations fail for nobody: these are asked without anybody waiting for
// what comes of it.
func TestErrorsNameEveryOperation(t *testing.T) {
	silent := map[wire.Op]bool{wire.OpCancel: true, wire.OpWaitReadable: true, wire.OpStopping: true,
		wire.OpTap: true, wire.OpTapped: true}
	for op := wire.OpHello; op.Known(); op++ {
		has := int(op) < len(verbs) && verbs[op] != ""
		if has == silent[op] {
			t.Errorf("%v: is there a word for errors: %v", op, has)
		}
	}
}
