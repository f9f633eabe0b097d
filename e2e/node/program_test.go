package node_test

import (
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/webazaar/waybill/e2e/node"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// echo says what it was set to, answers each line, and ends with its input.
const echo = `
console.log("not JSON");
console.log(JSON.stringify({ text: process.env.SETTING + process.argv[1] }));
console.error("a complaint");
const lines = require("node:readline").createInterface({ input: process.stdin });
lines.on("line", (line) => console.log(line)).on("close", () => console.error("the end"));
`

type line struct{ Text string }

func TestAProgramIsHeardAndThenGone(t *testing.T) {
	t.Parallel()
	node.Need(t, "../clients")
	var complaints strings.Builder
	p, err := node.Start(&complaints, []string{"SETTING=set "}, "-e", echo, "and told")
	if err != nil {
		t.Fatal(err)
	}
	if first, ok := node.Next[line](p); !ok || first.Text != "set and told" {
		t.Errorf("it began with %q, %t", first.Text, ok)
	}
	long := line{strings.Repeat("x", 100_000)}
	if err := p.Write(long); err != nil {
		t.Fatal(err)
	}
	if answer, ok := node.Next[line](p); !ok || answer != long {
		t.Errorf("it answered %.20q, %t", answer.Text, ok)
	}
	p.Stop()
	if complaints.String() != "a complaint\nthe end\n" {
		t.Errorf("it complained %q", complaints.String())
	}
	if last, ok := node.Next[line](p); ok {
		t.Errorf("it still says %q", last.Text)
	}
	if p.Write(long) == nil {
		t.Error("it is still told")
	}
}
