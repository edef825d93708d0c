package message

import (
	"strings"
	"testing"
)

// What a fault says of the rule is the rule of that Ksock.
func TestNameFaultNamesTheRule(t *testing.T) {
	for _, name := range []string{"$.a b", "$.a/b", "$.\xff"} {
		if text := NameFault(name, true, false); !strings.Contains(text, "letters and digits only") {
			t.Errorf("%q is refused to an original Ksock by %q", name, text)
		}
		if text := NameFault(name, false, false); !strings.Contains(text, "letters, digits, _ and -") {
			t.Errorf("%q is refused to a modern Ksock by %q", name, text)
		}
	}
}
