package subject

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// The sample configuration says the same.
func TestPermissionsOfSample(t *testing.T) {
	text, err := os.ReadFile("../../../dist/nats/kbus.conf")
	if err != nil {
		t.Fatal(err)
	}
	_, member, _ := strings.Cut(string(text), "nkey: $KBUS_NKEY_2")
	member, _, _ = strings.Cut(member, "nkey: $KBUS_NKEY_3")
	quoted := regexp.MustCompile(`"[^"]*"`)
	for i, part := range strings.SplitN(member, "subscribe", 2) {
		var sample []string
		for _, q := range quoted.FindAllString(part, -1) {
			sample = append(sample, strings.Trim(q, `"`))
		}
		p := PermissionsOf("home", 2)
		if ours := [][]string{p.Publish, p.Subscribe}[i]; !slices.Equal(sample, ours) {
			t.Errorf("the sample has %q\nand we have    %q", sample, ours)
		}
	}
}
