package access

import (
	"context"
	"maps"
	"time"
)

// noteEvery is how often the last use of tokens is kept: a call is never held
// up for it.
const noteEvery = time.Minute

// Run keeps when tokens were used last, until ctx is done.
func (g *Guard) Run(ctx context.Context) error {
	tick := time.NewTicker(noteEvery)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			g.noteLogged(ctx)
		case <-ctx.Done():
			last, cancel := context.WithTimeout(context.WithoutCancel(ctx), lookUpWithin)
			defer cancel()
			g.noteLogged(last)
			return nil
		}
	}
}

func (g *Guard) noteLogged(ctx context.Context) {
	if err := g.NoteUse(ctx); err != nil && ctx.Err() == nil {
		g.opts.Logger.Warn("tokens.use", "component", "access", "error", err)
	}
}

// NoteUse keeps the last use of each token that was used since it was called
// last. What could not be kept is tried again the next time.
func (g *Guard) NoteUse(ctx context.Context) error {
	g.mu.Lock()
	used := g.used
	g.used = map[string]time.Time{}
	g.mu.Unlock()
	if len(used) == 0 || g.opts.Tokens == nil {
		return nil
	}
	err := g.opts.Tokens.NoteTokensUsed(ctx, used)
	if err != nil {
		g.mu.Lock()
		defer g.mu.Unlock()
		maps.Copy(used, g.used) // what was used since is later
		g.used = used
	}
	return err
}
