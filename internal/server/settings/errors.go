package settings

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Errors is everything that is wrong, one line each.
type Errors []string

// Error gives all lines.
func (e Errors) Error() string { return strings.Join(e, "\n") }

func (e *Errors) add(format string, args ...any) { *e = append(*e, fmt.Sprintf(format, args...)) }

// OfFlag reports whether one is of a flag of the command line: those begin with it.
func OfFlag(err error) bool {
	errs, _ := err.(Errors)
	return slices.ContainsFunc(errs, func(line string) bool { return strings.HasPrefix(line, "--") })
}

// Join is all errors of several, each Errors or an error of its own; nil if there are none.
func Join(several ...error) error {
	var all Errors
	for _, err := range several {
		var errs Errors
		switch {
		case errors.As(err, &errs):
			all = append(all, errs...)
		case err != nil:
			all.add("%v", err)
		}
	}
	return all.orNil()
}

// orNil keeps an empty list from becoming an error that is not nil.
func (e Errors) orNil() error {
	if len(e) == 0 {
		return nil
	}
	return e
}

// didYouMean is "; did you mean ...?" with the known word nearest to what was written, or empty when none is near: at
// most one edit in three letters. All known words are in small letters, and large ones are no edit.
func didYouMean(written string, known []string) string {
	small := strings.ToLower(written)
	for _, k := range known { // who has left out the table
		if strings.HasSuffix(k, "."+small) && !slices.Contains(known, small) {
			return fmt.Sprintf("; did you mean %q?", k)
		}
	}
	best, least := "", max(1, len(written)/3)+1
	for _, k := range known {
		if d := distance(small, k); d < least {
			best, least = k, d
		}
	}
	if best == "" {
		return ""
	}
	return fmt.Sprintf("; did you mean %q?", best)
}

// distance is how many letters must be put in, taken out or changed to make b of a.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := 1; i <= len(a); i++ {
		diagonal := row[0]
		row[0] = i
		for j := 1; j <= len(b); j++ {
			change := diagonal
			if a[i-1] != b[j-1] {
				change++
			}
			diagonal = row[j]
			row[j] = min(change, row[j]+1, row[j-1]+1)
		}
	}
	return row[len(b)]
}
