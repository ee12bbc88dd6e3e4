{{- /* A pod that runs the service. Of it: root, selector (labels as text), resources, roles (empty: those of the configuration). */}}
{{- define "settlewatch.pod" -}}
automountServiceAccountToken: false
enableServiceLinks: false
terminationGracePeriodSeconds: {{ .root.Values.terminationGracePeriodSeconds }}
securityContext: {{- include "settlewatch.podSecurity" .root | nindent 2 }}
containers:
  - name: settlewatch
    image: "{{ .root.Values.image.repository }}:{{ .root.Values.image.tag | default .root.Chart.AppVersion }}"
    imagePullPolicy: {{ .root.Values.image.pullPolicy }}
    args: [run, --config, /etc/settlewatch/settlewatch.yaml]
    env:
      - name: HOSTNAME
        valueFrom: {fieldRef: {fieldPath: metadata.name}}
      {{- with .roles }}
      - {name: SETTLEWATCH__ROLES, value: {{ . | quote }}}
      {{- end }}
    ports:
      - {name: http, containerPort: 9464}
    # Alive does not depend on Kafka: a broker that is away must not restart every pod.
    livenessProbe:
      httpGet: {path: /livez, port: http}
      periodSeconds: 10
      failureThreshold: 6
    readinessProbe:
      httpGet: {path: /readyz, port: http}
      periodSeconds: 5
    startupProbe:
      httpGet: {path: /livez, port: http}
      periodSeconds: 2
      failureThreshold: 60
    securityContext: {{- include "settlewatch.containerSecurity" .root | nindent 6 }}
    resources: {{- toYaml .resources | nindent 6 }}
    volumeMounts: {{- include "settlewatch.mounts" .root | nindent 6 }}
volumes: {{- include "settlewatch.volumes" .root | nindent 2 }}
topologySpreadConstraints:
  - maxSkew: 1
    topologyKey: topology.kubernetes.io/zone
    whenUnsatisfiable: ScheduleAnyway
    labelSelector:
      matchLabels: {{- .selector | nindent 8 }}
{{- with .root.Values.nodeSelector }}
nodeSelector: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .root.Values.affinity }}
affinity: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .root.Values.tolerations }}
tolerations: {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}
