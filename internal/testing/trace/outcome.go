package trace

import (
	"encoding/json"
	"reflect"
	"strings"
	"syscall"
)

// outcome is what came of an operation, in the words of the format. Two outcomes are the same when they have the same
// values; a null counts as absent.
type outcome map[string]any

// canonical gives the outcome as it would be after writing it to a file and reading it back, without what is null.
func (o outcome) canonical() outcome {
	text, err := json.Marshal(map[string]any(o))
	if err != nil {
		panic(err) // outcomes are made of numbers, strings, lists and maps
	}
	var back map[string]any
	if err := json.Unmarshal(text, &back); err != nil {
		panic(err)
	}
	dropNulls(back)
	return back
}

func dropNulls(m map[string]any) {
	for key, v := range m {
		switch v := v.(type) {
		case nil:
			delete(m, key)
		case map[string]any:
			dropNulls(v)
		}
	}
}

// equal compares two canonical outcomes.
func (o outcome) equal(other outcome) bool { return reflect.DeepEqual(o, other) }

// String shows the outcome as in a trace.
func (o outcome) String() string {
	text, _ := json.Marshal(map[string]any(o))
	return string(text)
}

// errnoName is how a trace writes an error: nil for none.
func errnoName(e syscall.Errno) any {
	if e == 0 {
		return nil
	}
	for _, known := range errnos {
		if known.errno == e {
			return known.name
		}
	}
	return e.Error()
}

// errnos are the errors of R7.6.
var errnos = []struct {
	errno syscall.Errno
	name  string
}{
	{syscall.ENOENT, "ENOENT"}, {syscall.EBADF, "EBADF"}, {syscall.EAGAIN, "EAGAIN"}, {syscall.ENOMEM, "ENOMEM"},
	{syscall.EFAULT, "EFAULT"}, {syscall.EBUSY, "EBUSY"}, {syscall.EINVAL, "EINVAL"}, {syscall.ENOTTY, "ENOTTY"},
	{syscall.EPIPE, "EPIPE"}, {syscall.ENAMETOOLONG, "ENAMETOOLONG"}, {syscall.ENOLCK, "ENOLCK"},
	{syscall.ENOMSG, "ENOMSG"}, {syscall.EBADMSG, "EBADMSG"}, {syscall.EMSGSIZE, "EMSGSIZE"},
	{syscall.EADDRINUSE, "EADDRINUSE"}, {syscall.EADDRNOTAVAIL, "EADDRNOTAVAIL"},
	{syscall.ECONNREFUSED, "ECONNREFUSED"}, {syscall.EALREADY, "EALREADY"},
}

// latin1 is a string whose characters U+0000 to U+00FF stand for bytes; it becomes those bytes.
type latin1 []byte

// UnmarshalJSON takes a JSON string apart.
func (l *latin1) UnmarshalJSON(text []byte) error {
	var s string
	if err := json.Unmarshal(text, &s); err != nil {
		return err
	}
	b := make([]byte, 0, len(s))
	for _, r := range s {
		b = append(b, byte(r))
	}
	*l = b
	return nil
}

// latin1String is the other way.
func latin1String(b []byte) string {
	var s strings.Builder
	for _, c := range b {
		s.WriteRune(rune(c))
	}
	return s.String()
}
