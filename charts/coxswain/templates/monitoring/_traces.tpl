{{- /* Where a process sends its spans, if anywhere. */ -}}
{{- define "coxswain.tracesEnv" -}}
{{- with .Values.traces.endpoint -}}
- {name: COXSWAIN_TRACES_ENDPOINT, value: {{ . | quote }}}
{{- end }}
{{- end }}
