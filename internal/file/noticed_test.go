package file_test

import (
	"path/filepath"
	"testing"

	"kbus.example/kbus/internal/testing/trace"
)

// A replay that finds nothing wrong is worth something only if it would: every kind of operation, with another outcome
// than what comes of it, is found to diverge, and alone.
func TestDivergencesAreNoticed(t *testing.T) {
	files, err := filepath.Glob(filepath.Join("testdata", "traces", "scen*.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	tried := map[string]bool{}
	for _, path := range files {
		tr, err := trace.Load(path)
		if err != nil {
			t.Fatal(err)
		}
		for i := range tr.Ops {
			op := &tr.Ops[i]
			for key, right := range op.Out {
				if kind := op.Name + " " + key; !tried[kind] {
					tried[kind] = true
					op.Out[key] = "something else"
					diverged := tr.Replay(startMachine)
					if len(diverged) != 1 || diverged[0].Index != op.Index {
						t.Errorf("%s: wrong %s of operation %d: %v", tr.File, kind, op.Index, diverged)
					}
					op.Out[key] = right
				}
			}
			if kind := op.Name + " fails"; op.Out["err"] == nil && !tried[kind] {
				tried[kind] = true
				op.Out["err"] = "EPERM"
				if diverged := tr.Replay(startMachine); len(diverged) != 1 {
					t.Errorf("%s: %s of operation %d: %v", tr.File, kind, op.Index, diverged)
				}
				delete(op.Out, "err")
			}
		}
	}
	if len(tried) < 60 {
		t.Errorf("only %d kinds of outcome tried", len(tried))
	}
}
