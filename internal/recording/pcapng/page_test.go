package pcapng

import (
	"encoding/hex"
	"os"
	"regexp"
	"strings"
	"testing"

	"kbus.example/kbus/internal/testing/sample"
)

// The example of docs/recordings.md is what is written.
func TestPage(t *testing.T) {
	page, err := os.ReadFile("../../../docs/recordings.md")
	if err != nil {
		t.Fatal(err)
	}
	want := hex.Dump(appendPacket(nil, &sample.Talk()[2]))
	if !strings.Contains(string(page), want) {
		t.Errorf("docs/recordings.md should have:\n%s", want)
	}
}

// Wireshark takes every filter that the page names.
func TestPageFilters(t *testing.T) {
	page, err := os.ReadFile("../../../docs/recordings.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, _ := strings.Cut(string(page), "| filter | finds |")
	table, _, _ = strings.Cut(table, "\n\n")
	var filters []string
	for _, f := range regexp.MustCompile("`([^`]*kbus[.][^`]*)`").FindAllStringSubmatch(table, -1) {
		filters = append(filters, "("+f[1]+")")
	}
	if len(filters) < 20 {
		t.Fatalf("the page names only %d", len(filters))
	}
	b := file(t, le, sample.Talk())
	tshark(t, b, fields(strings.Join(filters, "||"), "frame.number")...)
	const all = `kbus.reply_time > 0.4 && kbus.text contains "on" || kbus.request && !kbus.reply_in ||
		kbus.data contains 6f:66:66 && kbus.program == "switch" && kbus.name matches "^[$].Lamp"`
	if got := strings.Join(tshark(t, b, fields(all, "frame.number")...), " "); got != "5 6 8" {
		t.Errorf("%s finds %s", all, got)
	}
}
