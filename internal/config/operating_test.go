package config

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "rewrite the table of settings in docs/operating.md")

const (
	operatingPath = "../../docs/operating.md"
	tableBegins   = "<!-- settings: made by `go test ./internal/config -update` -->\n"
	tableEnds     = "<!-- end of settings -->\n"
)

// operatingTable is the table of settings as the docs show it.
func operatingTable() string {
	var b strings.Builder
	b.WriteString("| setting | default | what it does | use |\n|---|---|---|---|\n")
	for _, s := range Settings() {
		secret := ""
		if s.Secret {
			secret = " Secret."
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s%s | %s |\n", s.Name, cell(s.DefaultText()), cell(s.Explain), secret, cell(s.Form))
	}
	return b.String()
}

func cell(text string) string {
	return strings.NewReplacer("|", "\\|", "<", "&lt;", ">", "&gt;").Replace(text)
}

func TestOperatingDocHoldsTheTable(t *testing.T) {
	t.Parallel()
	content, err := os.ReadFile(operatingPath)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, found := strings.Cut(string(content), tableBegins)
	table, after, ends := strings.Cut(rest, tableEnds)
	if !found || !ends {
		t.Fatal("docs/operating.md lacks the marks around its table of settings")
	}
	if *update {
		text := before + tableBegins + operatingTable() + tableEnds + after
		if err := os.WriteFile(operatingPath, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if table != operatingTable() {
		t.Error("docs/operating.md does not show the settings as they are; run: go test ./internal/config -update")
	}
}
