package settings

import (
	"errors"
	"io/fs"
	"path/filepath"
	"strings"

	"kbus.example/kbus/internal/rules"
	"kbus.example/kbus/internal/rules/folder"
	"kbus.example/kbus/internal/services"
	servicefolder "kbus.example/kbus/internal/services/folder"
	"kbus.example/kbus/internal/toml"
)

// Access rules and services are read with the settings and, like them, taken whole or not at all. A directory that the settings name must
// be there, for a wrong letter in its name must not open the buses to everybody; the one that is only looked for need not.

// rulesDir is that one.
const rulesDir = "rules.d"

// servicesDir is that of services.
const servicesDir = "kbus.d"

// LoadRules reads the rules. config is the path of the file of settings, "" if there is none: a directory that is named in it is
// found from where it is. The error is Errors.
func (s *Settings) LoadRules(config string) error {
	r := &s.Server.Rules
	s.noteUnread(folderOf(s, "rules", r.Dir, rulesDir, config))
	set, err := loadFolder(s, "rules", r.Dir, rulesDir, config, func(dir string) (*rules.Set, error) {
		return folder.Load(dir, folder.Here{})
	})
	if r.Set = nil; set != nil && len(set.Rules) > 0 {
		r.Set = set
	}
	return err
}

// LoadServices reads the services, as LoadRules the rules.
func (s *Settings) LoadServices(config string) error {
	r := &s.Server.Services
	s.services = folderOf(s, "services", r.Dir, servicesDir, config)
	s.noteUnread(s.services)
	set, err := loadFolder(s, "services", r.Dir, servicesDir, config, func(dir string) (*services.Set, error) {
		return servicefolder.Load(dir, servicefolder.Here{})
	})
	if r.Set = nil; set != nil && len(set.Services) > 0 {
		r.Set = set
	}
	return err
}

// loadFolder reads the directory that a setting names, or the usual one beside the file of settings.
func loadFolder[T any](s *Settings, key, named, usual, config string, load func(dir string) (*T, error)) (*T, error) {
	dir := folderOf(s, key, named, usual, config)
	if dir == "" {
		return nil, nil
	}
	set, err := load(dir)
	var mistakes toml.Mistakes
	switch {
	case errors.As(err, &mistakes):
		return nil, Errors(mistakes.Lines())
	case errors.Is(err, fs.ErrNotExist) && named == "":
		return nil, nil
	case err != nil:
		return nil, Errors{s.where(key) + key + ": " + err.Error()}
	}
	return set, nil
}

// folderOf is where such a directory is looked for; "": nowhere.
func folderOf(s *Settings, key, named, usual, config string) string {
	switch {
	case named == "" && config == "":
		return ""
	case named == "":
		return filepath.Join(filepath.Dir(config), usual)
	case !filepath.IsAbs(named) && !strings.HasPrefix(s.from[key], "--"):
		return filepath.Join(filepath.Dir(config), named)
	}
	return named
}

// noteUnread notes the files of such a directory that are not read: without them a bus may be open that somebody has meant to close.
func (s *Settings) noteUnread(dir string) {
	if dir != "" {
		s.unread = append(s.unread, toml.Unread(dir)...)
	}
}

// NotRead says of a file that is Unread why.
const NotRead = toml.Why

// Unread are files in the directories of rules and services that have not been read, for their names do not end in .toml.
func (s *Settings) Unread() []string { return s.unread }

// RuleCount is how many rules there are.
func (s *Settings) RuleCount() int {
	if s.Server.Rules.Set == nil {
		return 0
	}
	return len(s.Server.Rules.Rules)
}

// ServiceCount is how many services there are.
func (s *Settings) ServiceCount() int { return s.Server.Services.Count() }
