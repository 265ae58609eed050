// Prints entries as a Coder server does, by its own library: each line of standard input is one entry,
// {"form": "json" | "human" | "stackdriver", "message": "audit_log", "fields": [["ID", "..."], ...]}.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"

	"cdr.dev/slog/v3"
	"cdr.dev/slog/v3/sloggers/sloghuman"
	"cdr.dev/slog/v3/sloggers/slogjson"
	"cdr.dev/slog/v3/sloggers/slogstackdriver"
)

type entry struct {
	Form    string
	Message string
	Fields  [][2]json.RawMessage
	Error   string
}

func value(raw json.RawMessage) any {
	if len(raw) > 0 && raw[0] == '{' {
		return raw
	}
	var plain any
	_ = json.Unmarshal(raw, &plain)
	if number, ok := plain.(float64); ok {
		return int64(number)
	}
	return plain
}

func main() {
	forms := map[string]slog.Logger{
		"json":        slog.Make(slogjson.Sink(os.Stdout)).Named("coderd"),
		"human":       slog.Make(sloghuman.Sink(os.Stdout)).Named("coderd"),
		"stackdriver": slog.Make(slogstackdriver.Sink(os.Stdout)).Named("coderd"),
	}
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var one entry
		if err := json.Unmarshal(lines.Bytes(), &one); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		fields := []slog.Field{}
		for _, pair := range one.Fields {
			var name string
			_ = json.Unmarshal(pair[0], &name)
			fields = append(fields, slog.F(name, value(pair[1])))
		}
		if one.Error != "" {
			forms[one.Form].Error(context.Background(), one.Message, slog.Error(errors.New(one.Error)))
			continue
		}
		forms[one.Form].Info(context.Background(), one.Message, fields...)
	}
}
