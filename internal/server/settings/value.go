package settings

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"kbus.example/kbus/internal/logger"
	"kbus.example/kbus/internal/server"
)

// A value is what stands behind the equals sign. A flag has no kinds: its text is taken as whatever the setting takes.
type value struct {
	kind kind
	text string // a string without its quotes, or a number as written
}

type kind uint8

const (
	stringKind kind = 1 << iota
	integerKind
	truthKind
	otherKind // nothing takes it
	flagKind  = stringKind | integerKind | truthKind
)

// set gives a setting its value, and errors name neither place nor key.
func (s *setting) apply(to *Settings, v value) error {
	if v.kind&s.kind == 0 {
		switch s.kind {
		case integerKind:
			return errors.New("takes a number")
		case truthKind:
			return errors.New("takes true or false")
		}
		return errors.New("takes a string")
	}
	return s.set(to, v)
}

// parseNumber reads a whole number as TOML writes them: underscores between digits, 0x, 0o and 0b.
func parseNumber(text string) (int64, error) {
	n, err := strconv.ParseInt(strings.TrimPrefix(text, "+"), 0, 64)
	if err != nil || n != int64(int(n)) {
		return 0, fmt.Errorf("%q is no number that fits", text)
	}
	return n, nil
}

var sizeUnits = []struct {
	unit  string
	bytes int64
}{
	{"GiB", 1 << 30}, {"MiB", 1 << 20}, {"KiB", 1 << 10}, {"B", 1},
}

// parseSize reads a number of bytes: 4096, "4096", "4KiB". It does not guess whether "1GB" is meant to be a little less
// than "1GiB" or the same.
func parseSize(text string) (int64, error) {
	number, bytes := text, int64(1)
	for _, u := range sizeUnits {
		if n, ok := strings.CutSuffix(text, u.unit); ok {
			number, bytes = strings.TrimSpace(n), u.bytes
			break
		}
	}
	n, err := parseNumber(number)
	if err != nil || n < 0 || n > math.MaxInt64/bytes {
		return 0, fmt.Errorf("%q is no size; write for instance \"64MiB\"", text)
	}
	return n * bytes, nil
}

// showSize writes a size with the largest binary unit that leaves a whole number.
func showSize(n int64) string {
	for _, u := range sizeUnits[:3] {
		if n != 0 && n%u.bytes == 0 {
			return fmt.Sprintf("\"%d%s\"", n/u.bytes, u.unit)
		}
	}
	return strconv.FormatInt(n, 10)
}

type duration time.Duration

func (d duration) String() string { return time.Duration(d).String() }

func parseDuration(v value) (duration, error) {
	d, err := time.ParseDuration(v.text)
	if err != nil {
		return 0, fmt.Errorf("%q is no duration; write for instance \"5s\"", v.text)
	}
	return duration(d), nil
}

// parseMode reads octal digits. A bare 660 in the file would be decimal, so the file has to say that they are octal, as
// in "0660" and 0o660. A flag is text, as for chmod.
func parseMode(v value) (mode, error) {
	digits, octal := strings.CutPrefix(v.text, "0o")
	n, err := strconv.ParseUint(digits, 8, 32)
	octal = octal || v.kind == flagKind || v.kind == stringKind && (strings.HasPrefix(digits, "0") || len(digits) > 3)
	if err != nil || !octal {
		return 0, fmt.Errorf("%q is no file mode; write for instance \"0660\"", v.text)
	}
	return mode(n), nil
}

func parseLevel(v value) (level, error) {
	levels := []logger.Level{logger.LevelDebug, logger.LevelInfo, logger.LevelWarn, logger.LevelError}
	var words []string
	for _, l := range levels {
		if level(l).String() == v.text {
			return level(l), nil
		}
		words = append(words, level(l).String())
	}
	return 0, fmt.Errorf("must be debug, info, warn or error, not %q%s", v.text, didYouMean(v.text, words))
}

func parseFormat(v value) (format, error) {
	if v.text != "text" && v.text != "json" {
		return "", fmt.Errorf("must be text or json, not %q%s", v.text, didYouMean(v.text, []string{"text", "json"}))
	}
	return format(v.text), nil
}

// parseDevice reads a kind. A flag without a value is "true".
func parseDevice(v value) (word, error) {
	kinds := server.DeviceKinds
	switch {
	case v.text == "true":
		return "auto", nil
	case v.text == "false":
		return "off", nil
	case !slices.Contains(kinds, v.text):
		return "", fmt.Errorf("must be off, auto, cuse or fuse, not %q%s", v.text, didYouMean(v.text, kinds))
	}
	return word(v.text), nil
}

// parseSizeOrOff reads a size, or "off".
func parseSizeOrOff(v value) (sizeOrOff, error) {
	if v.text == "off" {
		return 0, nil
	}
	n, err := parseSize(v.text)
	if err != nil {
		return 0, fmt.Errorf("%q is no size; write for instance \"64KiB\", or \"off\"", v.text)
	}
	return sizeOrOff(n), nil
}

// parseBusSet reads numbers of buses. A flag without a value is all.
func parseBusSet(v value) (server.BusSet, error) {
	switch v.text {
	case "true":
		return server.ParseBusSet("all")
	case "false":
		return server.ParseBusSet("none")
	}
	return server.ParseBusSet(v.text)
}

func parseLimpets(v value) (limpets, error) {
	i := slices.Index(limpetWords[:], v.text)
	if i < 0 {
		return 0, fmt.Errorf("must be owner, anybody or nobody, not %q%s", v.text, didYouMean(v.text, limpetWords[:]))
	}
	return limpets(i), nil
}

// parseAdministration reads who may administer the buses.
func parseAdministration(v value) (word, error) {
	return word(v.text), server.CheckAdministration(v.text)
}
