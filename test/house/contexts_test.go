package house

import (
	"strings"
	"testing"
)

// What a Limpet asks of a bus or of NATS ends with what it asks for: a call under context.Background() would go on waiting,
// for a daemon that stands still, when its session has long ended. What must still be done while it ends has a time of its own.
func TestLimpetsAskUnderTheContextOfWhatTheyServe(t *testing.T) {
	each(t, "limpet", func(path, text string) {
		if strings.HasSuffix(path, "_test.go") {
			return
		}
		for n, line := range strings.Split(text, "\n") {
			if strings.Contains(line, "context.Background()") && !strings.Contains(line, "context.WithTimeout(context.Background(), ") {
				t.Errorf("%s:%d: give it the context of the session, or a time: %s", path, n+1, strings.TrimSpace(line))
			}
		}
	}, ".go")
}
