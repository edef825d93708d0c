package message

import "strings"

// Names are dot-separated words of ASCII letters, digits, `_` and `-` after "$.". A binding may end in one wildcard word:
// `%` stands for exactly one word, `*` for one or more. The rules work on bytes and never allocate; they are generic over
// string and []byte because the bus holds names as bytes and programs hold them as strings.
//
// A Ksock that says of itself that it is an original one, because its program was written for the original KBUS, is held
// to the original's rule: it sends and binds names of letters and digits only. What it hears may have any name.

// MaxNameBytes is the longest name. The length is checked first, so a longer name is ErrNameTooLong whatever it contains.
const MaxNameBytes = 1000

// MaxCardBytes is the longest card of a name, in bytes.
const MaxCardBytes = 16 << 10

// MinNameBytes is the shortest name, for instance "$.a".
const MinNameBytes = 3

// Wildcard is the class of a binding's name. A larger value is more specific.
type Wildcard uint8

const (
	Star    Wildcard = iota // `*`: one or more words
	Percent                 // `%`: one word
	Exact                   // no wildcard
)

type text interface{ ~string | ~[]byte }

// ClassOf looks at the last byte only.
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

// CheckBinding says whether a Ksock may bind to a name, which may end in a wildcard: OK, ErrNameTooLong or ErrBadName.
func CheckBinding[T text](name T) Condition { return check(name, true) }

// CheckName says whether a message may be sent under a name: as CheckBinding, but no wildcard.
func CheckName[T text](name T) Condition { return exact(name, CheckBinding(name)) }

// CheckOriginalBinding is CheckBinding for an original Ksock, whose names have letters and digits only.
func CheckOriginalBinding[T text](name T) Condition { return check(name, false) }

// CheckOriginalName is CheckName for an original Ksock.
func CheckOriginalName[T text](name T) Condition { return exact(name, CheckOriginalBinding(name)) }

func exact[T text](name T, c Condition) Condition {
	if c == OK && ClassOf(name) != Exact {
		return ErrBadName
	}
	return c
}

func check[T text](name T, modern bool) Condition {
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
		case isAlphanumeric(c), modern && isJoiner(c):
			dot = false
		default:
			return ErrBadName
		}
	}
	return OK
}

func isAlphanumeric(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9'
}

// isJoiner is for what else the words of a name may hold, also at their ends.
func isJoiner(c byte) bool { return c == '_' || c == '-' }

// Matches reports whether a binding (valid by CheckBinding) matches a message name (valid by CheckName).
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
