package main

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/webazaar/waybill/bench/load"
	"github.com/webazaar/waybill/bench/record"
)

// makeDatabase makes an empty database of our own and returns its address.
func (b *bench) makeDatabase(ctx context.Context, purpose string) (address, name string, err error) {
	conn, err := pgx.Connect(ctx, b.database)
	if err != nil {
		return "", "", fmt.Errorf("connect to PostgreSQL: %w", err)
	}
	defer conn.Close(context.WithoutCancel(ctx))
	name = fmt.Sprintf("waybill_bench_%s_%d_%d", purpose, os.Getpid(), len(b.databases))
	if _, err := conn.Exec(ctx, `CREATE DATABASE `+name); err != nil {
		return "", "", fmt.Errorf("make a database: %w", err)
	}
	b.databases = append(b.databases, name)
	u, err := url.Parse(b.database)
	if err != nil {
		return "", "", fmt.Errorf("read the database's address: %w", err)
	}
	u.Path = "/" + name
	return u.String(), name, nil
}

// dropDatabases drops everything makeDatabase made.
func (b *bench) dropDatabases() {
	if len(b.databases) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	conn, err := pgx.Connect(ctx, b.database)
	if err != nil {
		record.Say("databases stay behind (%v): %v", b.databases, err)
		return
	}
	defer conn.Close(ctx)
	for _, name := range b.databases {
		if _, err := conn.Exec(ctx, `DROP DATABASE IF EXISTS `+name+` WITH (FORCE)`); err != nil {
			record.Say("drop database %s: %v", name, err)
		}
	}
	b.databases = nil
}

// backends are the CPU times of a database's server processes, as far as they
// run on this machine. What writes in the background for all databases is not
// in them.
func (b *bench) backends(ctx context.Context, database string) map[int]time.Duration {
	conn, err := pgx.Connect(ctx, b.database)
	if err != nil {
		return nil
	}
	defer conn.Close(context.WithoutCancel(ctx))
	rows, err := conn.Query(ctx, `SELECT pid FROM pg_stat_activity WHERE datname = $1`, database)
	if err != nil {
		return nil
	}
	pids, err := pgx.CollectRows(rows, pgx.RowTo[int32])
	if err != nil {
		return nil
	}
	spent := make(map[int]time.Duration, len(pids))
	for _, pid := range pids {
		if d, err := load.CPU(int(pid)); err == nil {
			spent[int(pid)] = d
		}
	}
	return spent
}
