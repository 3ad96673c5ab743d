{{- /* Before everything else, at install and upgrade; gone when it succeeded. Call with a weight. */ -}}
{{- define "coxswain.hook" -}}
helm.sh/hook: pre-install,pre-upgrade
helm.sh/hook-weight: {{ . | quote }}
helm.sh/hook-delete-policy: before-hook-creation,hook-succeeded
{{- end }}
