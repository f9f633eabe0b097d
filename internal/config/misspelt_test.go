package config

import (
	"strings"
	"testing"
)

func TestMisspeltSettingIsToldBesideWhatItCauses(t *testing.T) {
	t.Parallel()
	_, err := Load([]string{"SHIPROCKET_WEBHOOK_TOKENS=" + strings.Repeat("x", 40)}, Production)
	if err == nil || !strings.Contains(err.Error(), "SHIPROCKET_WEBHOOK_TOKENS is, which is no setting") || strings.Contains(err.Error(), "xxx") {
		t.Errorf("got %v", err)
	}
}

func TestMisspeltSettings(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		environ []string
		setting string // that is warned of, "" for none
	}{
		{[]string{"SHIPROCKET_WEBHOOK_TOKENS=x"}, "SHIPROCKET_WEBHOOK_TOKEN"},
		{[]string{"DATABASE_URI=postgres://h/d"}, "DATABASE_URL"},
		{[]string{"SOKETI_APP_SECRT=x"}, "SOKETI_APP_SECRET"},
		{[]string{"RETENTIN_DAY=9"}, "RETENTION_DAYS"},
		{[]string{"RETENTION_DAYS=9", "RETENTION_DAY=8"}, ""}, // it is set rightly, too
		{[]string{"RETENTION_DAYS_FILE=/nowhere"}, ""},
		{[]string{"RETENTION_DAY="}, ""},
		{[]string{"MOST=x", "SORT=y"}, ""}, // nearly HOST and PORT, and not meant
		{[]string{"NEXT_PUBLIC_SOKETI_HOST=x", "SHIPROCKET_API_URL=https://x"}, ""},
	} {
		loaded, _ := Load(c.environ, Development)
		got := ""
		for _, p := range loaded.Warnings() {
			if loaded.misspelt[p.Setting] != "" {
				got = p.Setting
			}
		}
		if got != c.setting {
			t.Errorf("%q: warned of %q, want %q", c.environ, got, c.setting)
		}
	}
}
