package errno

import (
	"strings"
	"syscall"
	"testing"

	"kbus.example/kbus"
)

// TestExplain pins the lines of R10.70.
func TestExplain(t *testing.T) {
	for _, c := range []struct{ typed, want string }{
		{"1", "Error 1 (0x1) is EPERM: Operation not permitted\n"},
		{"5", "Error 5 (0x5) is EIO: Input/output error\n"},
		{"0x20", "Error 32 (0x20) is EPIPE: Broken pipe\n"},
		{"EPIPE", "EPIPE is error 32 (0x20): Broken pipe\n"},
		{"EWOULDBLOCK", "EWOULDBLOCK is error 11 (0xb): Resource temporarily unavailable\n"},
		{"EOPNOTSUPP", "EOPNOTSUPP is error 95 (0x5f): Operation not supported\n"},
		{"0", "Unrecognised error code number 0\n"},
		{"41", "Unrecognised error code number 41\n"},
		{"-1", "Unrecognised error code number -1\n"},
		{"4294967297", "Unrecognised error code number 4294967297\n"},
		{"EFROG", "Unrecognised error code mnemonic EFROG\n"},
		{"epipe", "Unrecognised error code mnemonic epipe\n"},
		{"", "Unrecognised error code mnemonic \n"},
	} {
		if line, _, _ := strings.Cut(Explain(c.typed), "\nKBUS:\n"); line != c.want {
			t.Errorf("%q: %q, want %q", c.typed, line, c.want)
		}
	}
}

func TestExplainMeaning(t *testing.T) {
	const want = "Error 114 (0x72) is EALREADY: Operation already in progress\n" +
		"\n" +
		"KBUS:\n" +
		"Write, send: the last message still waits until all have room. Wait too, or\n" +
		"  discard it.\n"
	if got := Explain("114"); got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
	if got := Explain("EIO"); strings.Contains(got, "KBUS") {
		t.Errorf("KBUS never gives EIO, and yet: %s", got)
	}
}

func TestLine(t *testing.T) {
	e, _ := ByName("EIO")
	if got, want := e.Line(), "  5: EIO                  Input/output error\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// TestMeaningsAreComplete holds the texts against what the bus can say (R7.6 and our own conditions).
func TestMeaningsAreComplete(t *testing.T) {
	for _, c := range kbus.Conditions() {
		if len(meanings[c.Errno()]) == 0 {
			t.Errorf("%s has errno %d, which means nothing here", c.Name(), c.Errno())
		}
	}
	for e, list := range meanings {
		if _, known := ByNumber(int(e)); !known {
			t.Errorf("%d is no error number", e)
		}
		for _, m := range list {
			if m.When == "" || !strings.HasSuffix(m.What, ".") {
				t.Errorf("%d: %q: %q is not a sentence", e, m.When, m.What)
			}
		}
	}
}

// TestNamesAndNumbersAgree looks every entry up both ways.
func TestNamesAndNumbersAgree(t *testing.T) {
	all := All()
	if len(all) < 130 {
		t.Errorf("only %d error numbers", len(all))
	}
	for _, e := range all {
		if by, known := ByName(e.Name); !known || by.Number != e.Number || strings.Contains(e.Text, "rrno") {
			t.Errorf("%+v is %+v by its name", e, by)
		}
	}
	if e, known := ByNumber(int(syscall.EPIPE)); !known || e.Name != "EPIPE" || e.Text != "Broken pipe" {
		t.Errorf("%+v", e)
	}
}
