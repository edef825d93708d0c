package files

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Files of one recording have numbers: a.pcapng becomes a.000001.pcapng and so on. The numbers go on after those that are
// there, so that a recorder which is started again forgets nothing; and they tell which are the oldest, whatever clocks say.

func withNumber(path string, n uint64) string {
	ext := filepath.Ext(path)
	return fmt.Sprintf("%s.%06d%s", strings.TrimSuffix(path, ext), n, ext)
}

// numbered gives the files of that path that are there, the oldest first, and the last number.
func numbered(path string) (names []string, last uint64, err error) {
	ext := filepath.Ext(path)
	base := strings.TrimSuffix(filepath.Base(path), ext)
	form := regexp.MustCompile("^" + regexp.QuoteMeta(base) + `\.(\d{6,19})` + regexp.QuoteMeta(ext) + "$")
	dir := filepath.Dir(path)
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, 0, err
	}
	numbers := map[string]uint64{}
	for _, e := range entries {
		if m := form.FindStringSubmatch(e.Name()); m != nil && e.Type().IsRegular() {
			n, _ := strconv.ParseUint(m[1], 10, 64) // of 19 digits at most
			name := filepath.Join(dir, e.Name())
			names, numbers[name], last = append(names, name), n, max(last, n)
		}
	}
	slices.SortFunc(names, func(a, b string) int {
		if numbers[a] < numbers[b] {
			return -1
		}
		return 1
	})
	return names, last, nil
}
