package file_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"kbus/internal/file/trace"
	"kbus/message"
)

// TestTraces replays the recordings of the reference and expects every outcome to be the same. KBUS_TRACES names
// another directory of the same format (testdata/traces/FORMAT.md); a relative one is relative to the module.
func TestTraces(t *testing.T) {
	dir := filepath.Join("testdata", "traces")
	if other := os.Getenv("KBUS_TRACES"); other != "" {
		dir = other
		if !filepath.IsAbs(dir) {
			dir = filepath.Join("..", "..", dir)
		}
	}
	result, err := trace.Run(dir, startMachine)
	if err != nil {
		t.Fatal(err)
	}
	fmt.Println(result)
	if result.Divergences > 0 {
		t.Fatalf("first divergence: %v", result.First)
	}
}

// TestTracesWithoutPointers replays them as a front end does that shares no memory with its callers and deals in whole
// messages where it can. Both must come to the same.
func TestTracesWithoutPointers(t *testing.T) {
	result, err := trace.RunWithoutPointers(filepath.Join("testdata", "traces"), func(c trace.Config) trace.System {
		return wholeMachine{newMachine(c)}
	})
	if err != nil {
		t.Fatal(err)
	}
	if result.Divergences > 0 {
		t.Fatalf("%v; first divergence: %v", result, result.First)
	}
}

type wholeMachine struct{ *machine }

func (m wholeMachine) Open(device int, mode string) (trace.Ksock, uint32, syscall.Errno) {
	k, errno := m.open(device, mode)
	if errno != 0 {
		return nil, 0, errno
	}
	return wholeKsock{Ksock: k, k: k}, k.file.Ksock.ID(), 0
}

// wholeKsock hides Place and adds trace.Whole.
type wholeKsock struct {
	trace.Ksock
	k *ksock
}

func (w wholeKsock) SendMessage(h *message.Header, name, data []byte) (message.ID, syscall.Errno) {
	if _, errno := w.Write(message.AppendEntire(nil, h, name, data)); errno != 0 {
		return message.ID{}, errno
	}
	return w.Send()
}

func (w wholeKsock) Receive() (h message.Header, name, data []byte, ok bool, errno syscall.Errno) {
	d, ok := w.k.file.Take()
	if !ok {
		return h, nil, nil, false, 0
	}
	defer w.k.file.Bus.Release(&d)
	return d.Header, bytes.Clone(d.Name), bytes.Clone(d.Data), true, 0
}
