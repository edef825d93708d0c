package message

import "strings"

// Names are dot-separated words of ASCII letters and digits after "$.". A binding may end in one wildcard word: `%`
// stands for exactly one word, `*` for one or more. The rules work on bytes and never allocate; they are generic over
// string and []byte because the bus holds names as bytes and programs hold them as strings.

// MaxNameBytes is the longest name (R7.1). It is checked before a name is looked at (R1.19).
const MaxNameBytes = 1000

// MinNameBytes is the shortest name, for instance "$.a".
const MinNameBytes = 3

// Wildcard is the class of a binding's name (R1.27). A larger value is more specific.
type Wildcard uint8

const (
	Star    Wildcard = iota // `*`: one or more words
	Percent                 // `%`: one word
	Exact                   // no wildcard
)

type text interface{ ~string | ~[]byte }

// ClassOf looks at the last byte only (R1.27).
func ClassOf[T text](name T) Wildcard {
	if n := len(name); n > 0 {
		switch name[n-1] {
		case '*':
			return Star
		case '%':
			return Percent
		}
	}
	return Exact
}

// CheckBinding applies R1.16 to a name to bind to, wildcards allowed: OK, ErrNameTooLong (R1.19) or ErrBadName.
func CheckBinding[T text](name T) Condition {
	if len(name) > MaxNameBytes {
		return ErrNameTooLong
	}
	if len(name) < MinNameBytes || name[0] != '$' || name[1] != '.' {
		return ErrBadName
	}
	end := len(name)
	if ClassOf(name) != Exact && name[end-2] == '.' {
		end -= 2
	}
	if end > 1 && name[end-1] == '.' {
		return ErrBadName
	}
	dot := true // index 1 is one
	for i := 2; i < end; i++ {
		switch c := name[i]; {
		case c == '.':
			if dot {
				return ErrBadName
			}
			dot = true
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9':
			dot = false
		default:
			return ErrBadName
		}
	}
	return OK
}

// CheckName applies R1.20 to the name of a message to send: as CheckBinding, and no wildcard.
func CheckName[T text](name T) Condition {
	if c := CheckBinding(name); c != OK {
		return c
	}
	if ClassOf(name) != Exact {
		return ErrBadName
	}
	return OK
}

// Matches reports whether a binding (valid by CheckBinding) matches a message name (valid by CheckName), R1.22.
func Matches(binding, name string) bool {
	class := ClassOf(binding)
	if class == Exact {
		return binding == name
	}
	prefix := binding[:len(binding)-1]
	if len(name) <= len(prefix) || name[:len(prefix)] != prefix {
		return false
	}
	return class == Star || strings.IndexByte(name[len(prefix):], '.') < 0
}

// Covers reports whether a binding matches every name that another one matches; both are valid by CheckBinding.
func Covers(binding, other string) bool {
	if binding == other {
		return true
	}
	switch ClassOf(binding) {
	case Star:
		prefix := binding[:len(binding)-1]
		return len(other) > len(prefix) && strings.HasPrefix(other, prefix)
	case Percent:
		return ClassOf(other) == Exact && Matches(binding, other)
	}
	return false
}
