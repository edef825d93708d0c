package trace

import (
	"fmt"
	"os"
	"path/filepath"
)

// Result counts what was replayed.
type Result struct {
	Traces, Operations, Divergences int
	First                           *Divergence
}

// String is the one line that a run ends with.
func (r Result) String() string {
	return fmt.Sprintf("traces %d operations %d divergences %d", r.Traces, r.Operations, r.Divergences)
}

// Run replays every *.jsonl file of a directory, in the order of their names. It is an error if there is none, or if
// one cannot be read.
func Run(dir string, start Start) (Result, error) {
	return RunAdapted(dir, start, func(t *Trace) *Trace { return t })
}

// RunWithoutPointers is Run for a front end that shares no memory with its callers.
func RunWithoutPointers(dir string, start Start) (Result, error) {
	return RunAdapted(dir, start, (*Trace).WithoutPointers)
}

// RunAdapted is Run with every trace changed for the front end first, as WithoutPointers and Retold do.
func RunAdapted(dir string, start Start, adapt func(*Trace) *Trace) (r Result, err error) {
	files, err := os.ReadDir(dir)
	if err != nil {
		return r, err
	}
	for _, file := range files {
		if filepath.Ext(file.Name()) != ".jsonl" {
			continue
		}
		t, err := Load(filepath.Join(dir, file.Name()))
		if err != nil {
			return r, err
		}
		diverged := adapt(t).Replay(start)
		if len(diverged) > 0 && r.First == nil {
			r.First = &diverged[0]
		}
		r.Traces++
		r.Operations += len(t.Ops)
		r.Divergences += len(diverged)
	}
	if r.Traces == 0 {
		return r, fmt.Errorf("no traces in %s", dir)
	}
	return r, nil
}
