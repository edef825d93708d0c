package screen

import (
	"fmt"
	"strings"
	"time"

	"kbus.example/kbus/internal/top"
)

// Figures in few characters: at most six.

// Amount is a number with a letter for its thousands.
func Amount(n float64) string {
	for _, unit := range []struct {
		one    float64
		letter string
	}{{1e12, "T"}, {1e9, "G"}, {1e6, "M"}, {1e3, "k"}} {
		if n >= unit.one*0.9995 {
			return short(n/unit.one) + unit.letter
		}
	}
	if n == float64(int64(n)) {
		return fmt.Sprintf("%.0f", n)
	}
	return short(n)
}

func short(n float64) string {
	if n >= 99.95 {
		return fmt.Sprintf("%.0f", n)
	}
	return fmt.Sprintf("%.1f", n)
}

// Age is a duration of which two digits matter.
func Age(d time.Duration) string {
	switch {
	case d < time.Millisecond:
		return fmt.Sprintf("%dus", d.Microseconds())
	case d < time.Second:
		return fmt.Sprintf("%dms", d.Milliseconds())
	case d < time.Minute:
		return fmt.Sprintf("%.1fs", d.Truncate(time.Second/10).Seconds())
	case d < time.Hour:
		return fmt.Sprintf("%dm%02ds", int(d.Minutes()), int(d.Seconds())%60)
	}
	return fmt.Sprintf("%dh%02dm", int(d.Hours()), int(d.Minutes())%60)
}

// Oldest is the age of the oldest Request that a Ksock owes an answer.
func Oldest(k *top.Ksock) string {
	switch {
	case k.Unanswered == 0:
		return "-"
	case k.Older:
		return ">" + Age(k.Oldest)
	}
	return Age(k.Oldest)
}

// Took is a mean or longest time of answers, of which there may be none.
func Took(n *top.Name, d time.Duration) string {
	if n.Answered == 0 {
		return "-"
	}
	return Age(d)
}

// bar is how full a queue is.
func bar(queued, most uint32, width int) string {
	full := 0
	if most > 0 {
		full = int(min(uint64(width), (uint64(queued)*uint64(width)+uint64(most)-1)/uint64(most)))
	}
	return "[" + strings.Repeat("|", full) + strings.Repeat(" ", width-full) + "]"
}
