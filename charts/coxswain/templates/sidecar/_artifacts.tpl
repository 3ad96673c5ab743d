{{- /* The installation's bucket: the kubelet hands its keys to this container, as it does the database's address. */ -}}
{{- define "coxswain.artifactEnv" -}}
{{- with .Values.artifacts }}
{{- if .bucket }}
- {name: COXSWAIN_ARTIFACTS_BUCKET, value: {{ .bucket | quote }}}
- {name: COXSWAIN_ARTIFACTS_ENDPOINT, value: {{ .endpoint | quote }}}
- {name: COXSWAIN_ARTIFACTS_REGION, value: {{ .region | quote }}}
- {name: COXSWAIN_ARTIFACTS_PATH_STYLE, value: {{ .pathStyle | quote }}}
- {name: COXSWAIN_ARTIFACTS_PREFIX, value: {{ .prefix | quote }}}
- name: COXSWAIN_ARTIFACTS_ACCESS_KEY_ID
  valueFrom:
    secretKeyRef: {name: {{ .existingSecret }}, key: access-key-id}
- name: COXSWAIN_ARTIFACTS_SECRET_ACCESS_KEY
  valueFrom:
    secretKeyRef: {name: {{ .existingSecret }}, key: secret-access-key}
{{- end }}
{{- end }}
{{- end }}
