package main

import (
	"context"
	"errors"
)

func (b *bench) scenarioRows(context.Context, string) error { return errors.ErrUnsupported }
func (b *bench) scenarioFsync(context.Context) error        { return errors.ErrUnsupported }
func (b *bench) scenarioRetention(context.Context) error    { return errors.ErrUnsupported }
